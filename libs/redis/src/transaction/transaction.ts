import { randomUUID } from 'node:crypto';
import { StoreTransactionError } from '@nestjs-orchestrator/core';
import type {
  AtInstant,
  Commit,
  CommitResult,
  DeliveryRecord,
  InstanceRef,
  LoadRequest,
  LoadResult,
  ParkRequest,
  ParkResult,
  WorkKey,
  WorkRecord,
} from '@nestjs-orchestrator/core/ports';
import { pushCommit } from '../commit/commit-call.js';
import type { Connection } from '../connection/connection.js';
import { Parameters, type Script } from '../connection/script.js';
import { openDeliveries } from '../delivery/deliveries.js';
import { pushParking } from '../delivery/park.js';
import type { Loads } from '../instance/load.js';
import { workName, type Room } from '../naming/room.js';
import type { Rooms } from '../naming/rooms.js';
import { mustBeOf, pushRemovals, pushWork } from '../outbox/work-parameters.js';
import { Holdings } from './holdings.js';
import { OwnView } from './own-view.js';
import { commitTransactionScript, forgetScript, renewScript, reserveScript } from './transaction.lua.js';

/** What a transaction did when it was committed. */
export interface Committed {
  /** Something was not its own any more: nothing was written. */
  readonly lost: boolean;
  readonly awaited: boolean;
  readonly claimable: boolean;
}

interface Decision {
  readonly message: WorkKey;
  readonly outcome: string;
}

interface Written {
  readonly commit: Commit;
  /** The same transaction has written the instance before. */
  readonly chained: boolean;
}

/** What a transaction stands on. */
export interface TransactionGround {
  readonly connection: Connection;
  readonly rooms: Rooms;
  readonly loads: Loads;
  /** How long it holds what it is about to write without a sign of life, in milliseconds. */
  readonly patienceMs: number;
}

const PARKED: ParkResult = 'parked';
const CONFLICT: CommitResult = { outcome: 'conflict' };

/** What one transaction decided and will write, until it commits or is forgotten. Everything is of one tenant, as one script is of one slot. */
export class OpenTransaction {
  readonly token = randomUUID();
  private readonly decisions = new Map<string, Decision>();
  private readonly commits: Written[] = [];
  private readonly parkings: ParkRequest[] = [];
  private readonly work: WorkRecord[] = [];
  private readonly removals: WorkKey[] = [];
  private readonly holdings = new Holdings();
  private readonly view = new OwnView();
  private tenant: string | null = null;
  private ended = false;

  constructor(
    private readonly ground: TransactionGround,
    private readonly at: AtInstant,
  ) {}

  mustBeOpen(): void {
    if (!this.ended) return;
    throw new StoreTransactionError('This transaction has ended: await all its calls before `work` returns.');
  }

  end(): void {
    this.ended = true;
  }

  /** Throws for rows of another tenant than those before. */
  mustBeOfOne(rows: readonly { readonly tenant: string }[]): void {
    this.mustBeOpen();
    for (const { tenant } of rows) {
      this.tenant ??= tenant;
      if (tenant === this.tenant) continue;
      throw new StoreTransactionError(
        `A transaction of tenant '${this.tenant}' was given something of tenant '${tenant}': on Redis a transaction is of one tenant; use one for each.`,
      );
    }
  }

  hasDecided(message: WorkKey): boolean {
    return this.decisions.has(workName(message));
  }

  decide(message: WorkKey, outcome: string): void {
    this.decisions.set(workName(message), { message, outcome });
    this.holdings.addDecision(this.ground.rooms.of(message.tenant), message);
  }

  enqueue(work: readonly WorkRecord[]): void {
    this.mustBeOfOne(work);
    this.work.push(...work.map((row) => ({ ...row })));
  }

  complete(keys: readonly WorkKey[]): void {
    this.mustBeOfOne(keys);
    this.removals.push(...keys.map(({ tenant, destination, id }) => ({ tenant, destination, id })));
  }

  async load(requests: readonly LoadRequest[]): Promise<readonly LoadResult[]> {
    this.mustBeOpen();
    const stored = await this.ground.loads.load(requests);
    return requests.map((request, n) => this.view.seenBy(request, stored[n] ?? NOTHING));
  }

  /** Looks whether the commit would win, and keeps it from others until the end. */
  async commitLater(given: Commit): Promise<CommitResult> {
    const commit = structuredClone(given);
    const { ref } = commit;
    this.mustBeOfOne([ref]);
    mustBeOf(ref.tenant, [...commit.work, ...commit.done]);
    const own = this.view.find(ref);
    if (own !== undefined && own.version !== commit.expectedVersion) return CONFLICT;
    const room = this.ground.rooms.of(ref.tenant);
    const chained = own !== undefined;
    const parameters = this.parameters(room, this.at.now);
    parameters.push(this.token, this.ground.patienceMs, chained ? '1' : '0');
    pushCommit(parameters, room, commit);
    this.holdings.addCommit(room, commit);
    if ((await this.run(reserveScript, parameters)) !== 1) return CONFLICT;
    this.mustBeOpen();
    const [found] = await this.load([{ ...ref, by: { id: ref.id }, messageId: '' }]);
    this.view.remember(commit, found?.instance ?? null, this.at.now ?? Date.now());
    this.commits.push({ commit, chained });
    return { outcome: 'committed', version: commit.expectedVersion + 1, leased: false, woken: false };
  }

  async parkLater(request: ParkRequest): Promise<ParkResult> {
    this.mustBeOfOne([request, ...request.done]);
    if (this.view.holds(request)) return 'present';
    const { tenant, saga, key } = request;
    const [found] = await this.load([{ tenant, saga, by: { key }, messageId: '' }]);
    if (found?.instance) return 'present';
    this.parkings.push(structuredClone(request));
    return PARKED;
  }

  async deliveries(ref: InstanceRef): Promise<readonly DeliveryRecord[]> {
    this.mustBeOpen();
    const { connection, rooms } = this.ground;
    return this.view.waiting(ref, await openDeliveries(connection, rooms, ref));
  }

  async commit(): Promise<Committed> {
    if (this.tenant === null) return { lost: false, awaited: false, claimable: false };
    const room = this.ground.rooms.of(this.tenant);
    const parameters = this.parameters(room, this.at.now).push(this.token);
    parameters.pushAll([...this.decisions.values()], ({ message, outcome }) =>
      parameters.push(workName(message)).pushKey(room.deciding(message)).push(outcome),
    );
    parameters.pushAll(this.parkings, (request) => {
      pushParking(parameters, room, request);
      pushRemovals(parameters, room, request.done);
    });
    parameters.pushAll(this.commits, ({ commit, chained }) => {
      parameters.push(chained ? '1' : '0');
      pushCommit(parameters, room, commit);
    });
    pushRemovals(parameters, room, this.removals);
    pushWork(parameters, room, this.work);
    await this.ground.rooms.register([this.tenant]);
    const answer = await this.run(commitTransactionScript, parameters);
    const [won, awaited, claimable] = answer as readonly [0 | 1, 0 | 1, 0 | 1];
    // Also without work: others may wait for the instances.
    const changed = this.commits.length > 0;
    return { lost: won === 0, awaited: awaited === 1, claimable: changed || claimable === 1 };
  }

  /** Goes on holding what it is about to write. */
  async renew(): Promise<void> {
    if (this.tenant === null || this.holdings.isEmpty) return;
    const parameters = this.parameters(this.ground.rooms.of(this.tenant), 0);
    parameters.push(this.token, this.ground.patienceMs);
    this.holdings.push(parameters);
    await this.run(renewScript, parameters);
  }

  /** Lets go of everything; whether somebody waits for that. */
  async forget(): Promise<boolean> {
    if (this.tenant === null || this.holdings.isEmpty) return false;
    const parameters = this.parameters(this.ground.rooms.of(this.tenant), 0).push(this.token);
    this.holdings.push(parameters);
    return (await this.run(forgetScript, parameters)) === 1;
  }

  private parameters(room: Room, now: number | null): Parameters {
    return new Parameters(...room.fixed).push(now ?? '');
  }

  private run(script: Script, { keys, args }: Parameters): Promise<unknown> {
    return this.ground.connection.run({ script, keys, args });
  }
}

const NOTHING: LoadResult = { instance: null, seen: null, tombstone: null };
