// Joins three endpoints where /dev/shm is small, and sends as much as they take; says what became of each.
import { silentLogger, systemClock, type TransportSeat } from '@nestjs-orchestrator/core/ports';
import { sharedMemory } from '@nestjs-orchestrator/transports';

const { directory } = JSON.parse(process.argv[2] ?? '{}') as { directory: string };
const transport = sharedMemory({ directory });
const outcomes: string[] = [];
const seats: TransportSeat[] = [];

async function main(): Promise<void> {
  for (const endpoint of ['one', 'two', 'three']) {
    const options = { cluster: 'tiny', endpoint, clock: systemClock, logger: silentLogger };
    await transport.join(options, { onFrame() {}, onPeer() {} }).then(
      (seat) => {
        seats.push(seat);
        outcomes.push('joined');
      },
      (error: unknown) => outcomes.push((error as { code?: string }).code ?? String(error)),
    );
  }
  // Every byte of every lane is touched: memory that is not there would end the process.
  const frame = new Uint8Array(60_000);
  for (const from of seats)
    for (const to of seats) for (let n = 0; n < 20; n += 1) await from.send(to.self, frame);
  for (const seat of seats) await seat.leave();
  process.stdout.write(JSON.stringify(outcomes));
}

await main();
