/** What a statement answers. */
export interface QueryAnswer<Row> {
  readonly rows: Row[];
  readonly rowCount: number | null;
}

/** A statement as the pg driver takes it; named ones are prepared once per connection. */
export interface NamedQuery {
  readonly name: string;
  readonly text: string;
  readonly values: unknown[];
}

/** The part of the pg driver's client that the store uses. */
export interface PgClient {
  query<Row>(query: NamedQuery | string): Promise<QueryAnswer<Row>>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  on(event: 'notification', listener: (message: PgNotification) => void): unknown;
  removeListener(event: 'error', listener: (error: Error) => void): unknown;
}

/** A client that the store makes for itself. */
export interface OwnPgClient extends PgClient {
  connect(): Promise<unknown>;
  end(): Promise<void>;
}

/** What `NOTIFY` sends. */
export interface PgNotification {
  readonly channel: string;
  readonly payload?: string | undefined;
}
