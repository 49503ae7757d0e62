import type { Duration } from '@nestjs-orchestrator/nest';
import { PAYMENTS } from './payments.js';

/** What the environment may change. Everything has a default, so that `npm start` needs none of it. */
export interface Settings {
  /** `PORT`: where the API listens. Default 3000. */
  readonly port: number;
  /** `POSTGRES_URL`: a Postgres to use instead of the embedded one. */
  readonly postgresUrl: string | undefined;
  /** `DATA_DIR`: folder of the embedded Postgres. Default `./data`. */
  readonly dataDir: string;
  /** `PAYMENT_TIMEOUT`: how long an order waits for its payment. Default `10s`. */
  readonly paymentTimeout: Duration;
  /** `STOCK_TIMEOUT`: how long an order waits for the warehouse. Default `10s`. */
  readonly stockTimeout: Duration;
  /** `CARRIER_TIMEOUT`: how long an order waits for the carrier. Default `15s`. */
  readonly carrierTimeout: Duration;
  /** `COURIER_LOADING`: how long the courier collects parcels for one trip. Default `2s`. */
  readonly courierLoading: Duration;
  /** `LATE_PAYMENT`: when the simulated late payment comes; later than the payment's time-out. Default `15s`. */
  readonly latePayment: Duration;
  /** `PAYMENTS`, also as flag `--payments`: where payment runs: in this process, or in one of its own, and how that is reached. Default `in-process`. */
  readonly payments: (typeof PAYMENTS)[number];
  /** `RABBITMQ_URL`: the broker between the two processes. Default `amqp://guest:guest@localhost:5672`. */
  readonly rabbitMqUrl: string;
  /** `REDIS_URL`: the Redis between the two processes. Default `redis://localhost:6379`. */
  readonly redisUrl: string;
  /** `QUEUE_PREFIX`: begins the names of the queues or services between them; another one for each application on a computer. Default `orchestrator-sample`. */
  readonly queuePrefix: string;
}

/** A variable of the environment has a value that can't work. */
export class SettingError extends Error {
  override readonly name = 'SettingError';
  readonly code = 'SETTING_INVALID';
  constructor(
    readonly variable: string,
    readonly value: string,
    advice: string,
  ) {
    super(`The variable ${variable} can't be '${value}': ${advice}.`);
  }
}

/**
 * Reads the settings.
 *
 * @throws SettingError
 */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const read = <T>(
    variable: string,
    fallback: T,
    parse: (text: string) => T | undefined,
    advice: string,
  ): T => {
    const text = environment[variable];
    if (text === undefined || text === '') return fallback;
    const value = parse(text);
    if (value === undefined) throw new SettingError(variable, text, advice);
    return value;
  };
  const duration = (variable: string, fallback: Duration): Duration =>
    read(variable, fallback, asDuration, "use a number and a unit, such as '500ms', '10s' or '5m'");
  return {
    port: read('PORT', 3000, asPort, 'use a whole number from 0 to 65535'),
    postgresUrl: read<string | undefined>(
      'POSTGRES_URL',
      undefined,
      asPostgresUrl,
      'use postgres://user:password@host:port/database',
    ),
    dataDir: environment['DATA_DIR'] || './data',
    paymentTimeout: duration('PAYMENT_TIMEOUT', '10s'),
    stockTimeout: duration('STOCK_TIMEOUT', '10s'),
    carrierTimeout: duration('CARRIER_TIMEOUT', '15s'),
    courierLoading: duration('COURIER_LOADING', '2s'),
    latePayment: duration('LATE_PAYMENT', '15s'),
    payments: read('PAYMENTS', 'in-process', asPayments, `use one of ${PAYMENTS.join(', ')}`),
    rabbitMqUrl: read(
      'RABBITMQ_URL',
      'amqp://guest:guest@localhost:5672',
      asRabbitMqUrl,
      'use amqp://user:password@host:port',
    ),
    redisUrl: read('REDIS_URL', 'redis://localhost:6379', asRedisUrl, 'use redis://user:password@host:port'),
    queuePrefix: environment['QUEUE_PREFIX'] || 'orchestrator-sample',
  };
}

function asPort(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined;
}

function asPostgresUrl(text: string): string | undefined {
  return /^postgres(ql)?:\/\//.test(text) && URL.canParse(text) ? text : undefined;
}

function asPayments(text: string): Settings['payments'] | undefined {
  return PAYMENTS.find((known) => known === text);
}

function asRabbitMqUrl(text: string): string | undefined {
  return /^amqps?:\/\//.test(text) && URL.canParse(text) ? text : undefined;
}

function asRedisUrl(text: string): string | undefined {
  return /^rediss?:\/\//.test(text) && URL.canParse(text) ? text : undefined;
}

function asDuration(text: string): Duration | undefined {
  return /^\d+(ms|s|m|h)$/.test(text) ? (text as Duration) : undefined;
}

/** The settings of this process. Decorators such as `@After` need them while classes are defined. */
export const settings: Settings = readSettings(process.env);
