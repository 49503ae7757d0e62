export { memoryStore, type MemoryStore, type MemoryStoreOptions } from './memory-store.js';
export {
  memoryNetwork,
  memoryTransport,
  type MemoryNetwork,
  type MemoryNetworkOptions,
} from './transport/memory-transport.js';
export type { MemoryNetworkLimits } from './transport/network-limits.js';
