import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { z } from 'zod';

export const product = z.object({
  sku: z.string(),
  name: z.string(),
  cents: z.int(),
  available: z.int(),
});
export type Product = z.infer<typeof product>;

/** What can be ordered, and at what price. */
@Injectable()
export class Catalogue {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  list(): Promise<Product[]> {
    return this.dataSource.query<Product[]>(
      'SELECT sku, name, cents, available FROM shop.products ORDER BY sku',
    );
  }

  /** Prices in cents by sku; products that do not exist are left out. */
  async prices(skus: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const rows = await this.dataSource.query<{ sku: string; cents: number }[]>(
      'SELECT sku, cents FROM shop.products WHERE sku = ANY ($1::text[])',
      [skus],
    );
    return new Map(rows.map(({ sku, cents }) => [sku, cents]));
  }
}
