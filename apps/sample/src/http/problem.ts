import { HttpException } from '@nestjs/common';
import { z } from 'zod';

/** One field that is wrong. */
export const fieldFault = z.object({
  field: z
    .string()
    .meta({ description: "Path in the body or query, such as items[0].sku; 'body' for the whole." }),
  message: z.string(),
});
export type FieldFault = z.infer<typeof fieldFault>;

/** Problem details as in RFC 9457: the body of every answer from 400 on. */
export const problemDetails = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string().meta({ description: 'Stable, for programs.' }),
  detail: z.string(),
  errors: z.array(fieldFault).optional(),
});
export type ProblemDetails = z.infer<typeof problemDetails>;

/** A refusal that the caller is told about, with a stable code. */
export class Problem extends HttpException {
  constructor(
    status: number,
    readonly code: string,
    detail: string,
    readonly errors?: readonly FieldFault[],
  ) {
    super(detail, status);
  }
}

export const invalid = (errors: readonly FieldFault[]): Problem =>
  new Problem(400, 'INVALID', errors.map(({ field, message }) => `${field}: ${message}`).join('; '), errors);
