import { assert, constantFrom, property, string, stringMatching } from 'fast-check';
import { expect, it } from 'vitest';
import { durableCluster } from './durable-cluster.js';

it('the cluster of a group says its tenant where that is not the default one', () => {
  const names = { cluster: 'shop', group: 'orders', tenant: 'default' };
  expect(durableCluster(names)).toBe('shop/orders');
  expect(durableCluster({ ...names, tenant: 'acme' })).toBe('shop/orders#acme');
  expect(durableCluster({ ...names, tenant: 'a/b#c' })).toBe('shop/orders#a%2Fb%23c');
  expect(durableCluster({ ...names, group: 'or#ders' })).toBe('shop/or##ders');
});

it('no two groups and tenants of a cluster have the same one', () => {
  const group = stringMatching(/^[ab#/]{1,6}$/);
  const tenant = constantFrom('default', 'a', '#', '##', 'a#', '/', '%23', 'b');
  assert(
    property(group, tenant, group, tenant, string(), (groupA, tenantA, groupB, tenantB, cluster) => {
      const [one, other] = [
        { cluster, group: groupA, tenant: tenantA },
        { cluster, group: groupB, tenant: tenantB },
      ];
      const same = groupA === groupB && tenantA === tenantB;
      expect(durableCluster(one) === durableCluster(other)).toBe(same);
    }),
    { numRuns: 2_000 },
  );
});
