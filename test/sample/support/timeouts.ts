/**
 * Time-outs that end no order, however busy the machine is: a test that wants one of them to be over lets the clock leap. The application reads them while
 * its classes are defined, so this file is imported first.
 */
export const timeouts = {
  PAYMENT_TIMEOUT: '5m',
  STOCK_TIMEOUT: '5m',
  CARRIER_TIMEOUT: '5m',
  COURIER_LOADING: '100ms',
  LATE_PAYMENT: '6m',
} as const;

Object.assign(process.env, timeouts);
