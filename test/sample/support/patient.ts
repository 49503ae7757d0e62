/**
 * Time-outs that no test waits for, for specs that do something while an order waits. The application reads them while its
 * classes are defined, so this file is imported first.
 */
export const timeouts = {
  PAYMENT_TIMEOUT: '5m',
  STOCK_TIMEOUT: '5m',
  CARRIER_TIMEOUT: '5m',
  LATE_PAYMENT: '6m',
} as const;

Object.assign(process.env, timeouts);
