/**
 * Short time-outs, for specs that wait for them; still long enough for a busy machine to answer in time. The application reads
 * them while its classes are defined, so this file is imported first.
 */
export const timeouts = {
  PAYMENT_TIMEOUT: '2s',
  STOCK_TIMEOUT: '20s',
  CARRIER_TIMEOUT: '2s',
  COURIER_LOADING: '100ms',
  LATE_PAYMENT: '4s',
} as const;

Object.assign(process.env, timeouts);
