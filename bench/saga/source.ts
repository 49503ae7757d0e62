import { DataSource } from 'typeorm';
import { POOL } from './server.js';

/** A DataSource with the pool that every contestant has. */
export function dataSource(url: string): Promise<DataSource> {
  return new DataSource({ type: 'postgres', url, poolSize: POOL }).initialize();
}
