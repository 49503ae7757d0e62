import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { CourierDesk, courierView, type CourierView } from './courier-desk.js';

@ApiTags('courier')
@Controller('courier')
export class CourierController {
  constructor(private readonly desk: CourierDesk) {}

  @Get()
  @ApiOperation({ summary: 'What the courier of this process is doing: a machine in memory' })
  @ApiOkResponse({ standardSchema: courierView })
  view(): Promise<CourierView> {
    return this.desk.view();
  }
}
