import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Catalogue, product, type Product } from './catalogue.js';

@ApiTags('products')
@Controller('products')
export class ProductsController {
  constructor(private readonly catalogue: Catalogue) {}

  @Get()
  @ApiOperation({ summary: 'What can be ordered' })
  @ApiOkResponse({ standardSchema: product, isArray: true })
  list(): Promise<Product[]> {
    return this.catalogue.list();
  }
}
