// jest with ES modules: `node --experimental-vm-modules node_modules/jest/bin/jest.js --config …`.
// oxlint-disable-next-line import/no-default-export -- jest asks for it
export default {
  rootDir: '../../../..',
  roots: ['<rootDir>/test/testing/runners/jest'],
  testMatch: ['**/*.jest.ts'],
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['@nestjs-orchestrator/source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': ['$1.ts', '$1.js'] },
  transform: { '\\.ts$': '<rootDir>/test/testing/runners/jest/typescript-transform.mjs' },
  // Below node_modules, where it goes away with them; its own place would be the machine's temporary folder.
  cacheDirectory: '<rootDir>/node_modules/.cache/jest',
  watchman: false,
  // Only there to end a hang, as everywhere.
  testTimeout: 300_000,
};
