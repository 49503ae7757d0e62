/** The application's own tables, in a schema of its own. Each text runs once, in this order. */
export const shopMigrations: readonly string[] = [
  `
  CREATE TABLE shop.products (
    sku text PRIMARY KEY,
    name text NOT NULL,
    cents int NOT NULL CHECK (cents > 0),
    initial int NOT NULL,
    available int NOT NULL CHECK (available BETWEEN 0 AND initial)
  );
  INSERT INTO shop.products (sku, name, cents, initial, available) VALUES
    ('book', 'A book on sagas', 1250, 10000, 10000),
    ('lamp', 'A reading lamp', 3900, 1000, 1000),
    ('chair', 'An armchair', 12900, 50, 50);

  CREATE TABLE shop.orders (
    seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    order_id text PRIMARY KEY,
    idempotency_key text UNIQUE,
    body_hash text NOT NULL,
    customer_id text NOT NULL,
    items jsonb NOT NULL,
    cents int NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
  );

  CREATE TABLE shop.payments (
    order_id text PRIMARY KEY,
    state text NOT NULL CHECK (state IN ('authorised', 'declined', 'charged', 'refunded', 'voided')),
    cents int NOT NULL,
    transaction_id text
  );
  -- What moved money, and when: only ever added to.
  CREATE TABLE shop.payment_entries (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    idempotency_key text NOT NULL UNIQUE,
    order_id text NOT NULL REFERENCES shop.payments,
    kind text NOT NULL CHECK (kind IN ('charge', 'refund', 'void')),
    cents int NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
  );
  CREATE INDEX ON shop.payment_entries (order_id);

  CREATE TABLE shop.reservations (
    order_id text PRIMARY KEY,
    state text NOT NULL CHECK (state IN ('reserved', 'missing', 'released'))
  );
  CREATE TABLE shop.reservation_lines (
    order_id text NOT NULL REFERENCES shop.reservations,
    sku text NOT NULL REFERENCES shop.products,
    quantity int NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (order_id, sku)
  );

  CREATE TABLE shop.shipments (
    order_id text PRIMARY KEY,
    state text NOT NULL CHECK (state IN ('requested', 'shipped', 'refused', 'cancelled')),
    tracking text
  );
  `,
  `
  ALTER TABLE shop.shipments ADD COLUMN delivered_at timestamptz;
  CREATE INDEX ON shop.shipments (order_id) WHERE state = 'shipped' AND delivered_at IS NULL;
  `,
];
