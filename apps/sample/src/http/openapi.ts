import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';

/** The OpenAPI document of the application, made from the schemas that check its requests. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const outline = new DocumentBuilder()
    .setTitle('Orders')
    .setDescription(
      'A REST order app whose orders are durable sagas: payment, inventory and shipping, with compensation and time-outs. ' +
        'Field `simulate` of an order chooses what goes wrong.',
    )
    .setVersion('1.0')
    .build();
  return SwaggerModule.createDocument(app, outline);
}

/** Serves the page at `/docs` and the document at `/docs-json`. */
export function serveOpenApi(app: INestApplication): void {
  SwaggerModule.setup('docs', app, () => openApiDocument(app));
}
