import { Module } from '@nestjs/common';
import { Catalogue } from './catalogue.js';
import { ProductsController } from './products.controller.js';
import { StockHandlers } from './stock.handlers.js';
import { Warehouse } from './warehouse.js';

@Module({
  controllers: [ProductsController],
  providers: [Catalogue, Warehouse, StockHandlers],
  exports: [Catalogue, Warehouse],
})
export class InventoryModule {}
