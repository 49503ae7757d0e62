/** Where everything is, and a first order to copy. */
export function banner(base: string, database: string): string {
  return `
  Orders     ${base}/orders
  OpenAPI    ${base}/docs
  Health     ${base}/health
  Database   ${database}

A first order:

  curl -s -X POST ${base}/orders \\
    -H 'Content-Type: application/json' \\
    -d '{"customerId":"ada","items":[{"sku":"book","quantity":1}]}'

Ctrl-C stops it; what is under way goes on with the next npm start.

`;
}
