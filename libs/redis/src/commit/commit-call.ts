import type { Commit, InboxRecord, WriteOptions } from '@nestjs-orchestrator/core/ports';
import { Parameters, type Call } from '../connection/script.js';
import { packDelivery } from '../delivery/delivery-record.js';
import { packState } from '../instance/instance-record.js';
import { encode } from '../naming/encode.js';
import { FOR_COMMITS, instanceBox, keyBox, keyName, timerName, workName, type Room } from '../naming/room.js';
import { mustBeOf, pushRemovals, pushWork } from '../outbox/work-parameters.js';
import { commitScript } from './commit.lua.js';

/** One commit as a call of its script. Throws for what no script could write as a whole. Pure. */
export function commitCall(room: Room, commit: Commit, { now, owner, leaseMs }: WriteOptions): Call {
  const parameters = new Parameters(...room.fixed.slice(0, FOR_COMMITS));
  parameters.push(now ?? '', owner, leaseMs);
  pushCommit(parameters, room, commit);
  return { script: commitScript, keys: parameters.keys, args: parameters.args };
}

/** A commit, as `takeCommit` of the scripts reads it. */
export function pushCommit(to: Parameters, room: Room, commit: Commit): void {
  const { ref, work, done, wakeIfParked, consumed = [] } = commit;
  const wake = wakeIfParked === null ? [] : [wakeIfParked];
  mustBeOf(ref.tenant, [...work, ...done, ...wake, ...consumed.map(({ message }) => message)]);
  pushKeys(to, room, commit);
  pushInstance(to, commit);
  pushDetails(to, commit);
  pushRemovals(to, room, done);
  pushWork(to, room, work);
  pushWork(to, room, wake);
  to.pushAll(consumed, ({ message, outcome }) => {
    to.push(workName(message)).pushKey(room.deciding(message)).pushKey(room.consumedBy);
    to.pushKey(room.consumedAt).push(outcome);
  });
}

function pushKeys(to: Parameters, room: Room, { ref: { saga, id }, supersedes }: Commit): void {
  to.pushKey(room.instance(saga, id)).pushKey(room.inbox(saga, id)).pushKey(room.history(saga, id));
  to.pushKey(room.keys(saga)).pushKey(room.index(saga)).pushKey(room.timerDue(saga));
  to.pushKey(room.instance(saga, supersedes ?? id)).push(supersedes ?? '', encode(supersedes ?? ''));
}

function pushInstance(to: Parameters, commit: Commit): void {
  const { ref, next, lease, keys } = commit;
  to.push(encode(ref.saga), ref.id, encode(ref.id), instanceBox(ref));
  to.push(commit.expectedVersion, lease === null ? '' : `=${lease}`, commit.ifUnseen === true ? '1' : '0');
  to.push(packState(next), encode(next.state), encode(next.status), next.ended ? '1' : '0');
  const claims = keys.filter(({ many }) => many !== true);
  const shares = keys.filter(({ many }) => many === true);
  to.pushAll(claims, (key) => to.push(keyName(key), keyBox(ref.saga, key)));
  to.pushAll(shares, (key) => to.push(keyName(key)));
}

function pushDetails(to: Parameters, { ref, inbox, inboxBefore, history, timers, deliveries }: Commit): void {
  to.push(inbox?.messageId ?? '', inbox === null ? '' : packed(inbox));
  to.pushAll(inboxBefore ?? [], (record) => to.push(record.messageId, packed(record)));
  to.pushAll(history, ({ kind, name, messageId, from, to: target, detail }) =>
    to.push(JSON.stringify([kind, name, messageId, from, target, detail])),
  );
  to.pushAll(timers.disarm, (name) => to.push(timerName({ ...ref, name })));
  to.pushAll(timers.arm, ({ name, token, delayMs, payload }) => {
    const record = JSON.stringify([ref.saga, ref.id, name, token, delayMs, payload]);
    to.push(timerName({ ...ref, name }), token, delayMs, record);
  });
  to.pushAll(deliveries.done, (messageId) => to.push(encode(messageId)));
  to.pushAll(deliveries.add, (delivery) =>
    to.push(encode(delivery.messageId), packDelivery(ref.saga, delivery), delivery.ttlMs),
  );
}

function packed({ outcome, reply }: InboxRecord): string {
  return JSON.stringify([outcome, reply]);
}
