/** Time-outs of the application under test. Read when its classes are defined, so this file is imported before them. */
export const environment = {
  PAYMENT_TIMEOUT: '700ms',
  STOCK_TIMEOUT: '10s',
  CARRIER_TIMEOUT: '700ms',
  LATE_PAYMENT: '2500ms',
} as const;

Object.assign(process.env, environment);
