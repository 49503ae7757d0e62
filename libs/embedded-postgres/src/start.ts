import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findBinaries } from './binaries.js';
import { createCluster } from './cluster.js';
import { provision, type Credentials } from './credentials.js';
import { clusterExists, inDataDir, prepareDataDir } from './data-dir.js';
import { isEmbeddedPostgresError } from './errors.js';
import { libraryEnvironment } from './libraries.js';
import { resolveOptions, type EmbeddedPostgresOptions, type ResolvedOptions } from './options.js';
import { takeOwnership } from './owner.js';
import { freePort, portTaken, requirePort } from './port.js';
import { stopOrphan, stopServer } from './postmaster.js';
import { signalServer, type Installation } from './programs.js';
import { chooseRunAs } from './run-as.js';
import { launch, type RunningServer } from './server.js';

/** A Postgres that accepts connections. */
export interface EmbeddedPostgres {
  /** `postgres://user:password@host:port/database`, for any client. */
  readonly url: string;
  /** The TCP port it listens on. */
  readonly port: number;
  /** Process id of the server. */
  readonly pid: number;
  /** Process id of a server that a killed process had left on this data directory, and that was stopped first. */
  readonly stoppedOrphan: number | undefined;
  /**
   * Ends all sessions, writes everything down and stops the server; settles when it is gone. May be called again, and
   * does nothing then. A server that doesn't stop within 30 s is stopped hard, which loses nothing that was committed.
   */
  stop(): Promise<void>;
}

/** Another program may take a free port between our look and the server's start, and an orphan may be slow to go. */
const ATTEMPTS = 5;

/**
 * Starts a real Postgres on a folder, from binaries that npm installed. The first start makes the cluster, which takes
 * about a second; later ones take a few dozen milliseconds. It listens on the machine's own address only and asks for
 * a password. A server that an earlier process left behind when it was killed is stopped first.
 *
 * @throws {EmbeddedPostgresError} with one of the codes of `EmbeddedPostgresErrorCode`; nothing is left running then.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const wanted = resolveOptions(options);
  const { dataDir } = wanted;
  const binaries = findBinaries();
  prepareDataDir(dataDir);
  const ownership = inDataDir(dataDir, () => takeOwnership(dataDir));
  try {
    const at = inDataDir(dataDir, () => {
      const cluster = join(dataDir, 'cluster');
      return {
        binaries,
        dataDir,
        cluster,
        runAs: chooseRunAs(cluster),
        environment: libraryEnvironment(binaries, dataDir),
      };
    });
    return await start(at, wanted, () => ownership.release());
  } catch (error) {
    ownership.release();
    throw error;
  }
}

async function start(
  at: Installation,
  wanted: ResolvedOptions,
  release: () => void,
): Promise<EmbeddedPostgres> {
  const exists = clusterExists(at.cluster, at.binaries.major);
  const stoppedOrphan = await stopOrphan(at);
  if (stoppedOrphan !== undefined)
    wanted.onProgress(`stopped Postgres ${stoppedOrphan}, which a killed process had left on ${at.dataDir}`);
  if (wanted.port !== undefined) await requirePort(wanted.host, wanted.port);
  if (!exists) {
    wanted.onProgress(`initialising the database cluster in ${at.dataDir} …`);
    await createCluster(at, wanted.durable);
  }
  const credentials = await provision(at, wanted);
  const { server, port } = await launchOnPort(at, wanted);
  wanted.onProgress(`Postgres accepts connections on ${wanted.host}:${port}`);
  return {
    url: url(credentials, wanted.host, port),
    port,
    pid: server.pid,
    stoppedOrphan,
    stop: stopper(at, server, wanted.stopOnExit, release),
  };
}

async function launchOnPort(
  at: Installation,
  wanted: ResolvedOptions,
): Promise<{ readonly server: RunningServer; readonly port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = wanted.port ?? (await freePort(wanted.host));
    try {
      return { server: await launch(at, wanted, port), port };
    } catch (error) {
      const reason = passingReason(error);
      if (reason === 'port' && wanted.port !== undefined) throw portTaken(wanted.host, port, error);
      if (reason === undefined || attempt === ATTEMPTS) throw error;
    }
    await delay(attempt * 100);
    await stopOrphan(at);
  }
}

/** Reasons for which the next attempt may go better: someone took the port, or remains of a killed server linger. */
function passingReason(error: unknown): 'port' | 'remains' | undefined {
  if (!isEmbeddedPostgresError(error, 'EMBEDDED_POSTGRES_START_FAILED')) return undefined;
  if (/could not bind|could not create any TCP/.test(error.message)) return 'port';
  return /lock file .* already exists|pre-existing shared memory/.test(error.message) ? 'remains' : undefined;
}

function stopper(
  at: Installation,
  server: RunningServer,
  onExit: boolean,
  release: () => void,
): () => Promise<void> {
  let stopped: Promise<void> | undefined;
  const atExit = (): void => signalServer(at, server.pid, 'fast');
  if (onExit) process.once('exit', atExit);
  let gone = false;
  void server.ended.then(() => {
    gone = true;
    process.removeListener('exit', atExit);
  });
  const stop = async (): Promise<void> => {
    // Its id may belong to another process by now.
    if (!gone) await stopServer(at, server.pid, server.ended);
    release();
  };
  return () => (stopped ??= stop());
}

function url({ user, password, database }: Credentials, host: string, port: number): string {
  const address = host.includes(':') ? `[${host}]` : host;
  const part = encodeURIComponent;
  // The pg driver reads the name of the database with decodeURI, which leaves %26 and the like alone.
  const path = encodeURI(database).replaceAll(/[?#]/g, part);
  return `postgres://${part(user)}:${part(password)}@${address}:${port}/${path}`;
}
