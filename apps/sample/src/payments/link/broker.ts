import { connect } from 'node:net';

/** A server between the two processes. */
export interface Broker {
  readonly name: string;
  /** The variable that names another one, with a sample. */
  readonly variable: string;
  /** Where it listens if the address does not say. */
  readonly port: number;
}

/** No broker answers, so the two processes could not talk. */
export class BrokerAwayError extends Error {
  override readonly name = 'BrokerAwayError';
  readonly code = 'BROKER_AWAY';
  constructor(url: URL, { name, variable }: Broker, options?: ErrorOptions) {
    super(
      `No ${name} answers at ${url.host}. Start one there, name another by ${variable}, or leave --payments out.`,
      options,
    );
  }
}

/** @throws BrokerAwayError (as a rejection) */
export function reachable(url: URL, broker: Broker): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(url.port === '' ? broker.port : Number(url.port), url.hostname);
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', (cause) => reject(new BrokerAwayError(url, broker, { cause })));
  });
}
