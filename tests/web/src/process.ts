// Starts the binary under test, and stops it again.
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../../..');
export const SCRATCH = join(ROOT, 'target/web-tests');
export const BINARY = process.env.RINGTRACE ?? join(ROOT, 'target/release/ringtrace');

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((found, failed) => {
    const server = createServer();
    server.on('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (address && typeof address === 'object' ? found(address.port) : failed(new Error('no port'))));
    });
  });
}

/** Runs `ringtrace` with arguments and environment; what it prints goes to a file below target/. */
export function ringtrace(args: string[], environment: Record<string, string>, log: string): ChildProcess {
  if (!existsSync(BINARY)) throw new Error(`${BINARY} is missing: make build`);
  mkdirSync(SCRATCH, { recursive: true });
  const output = createWriteStream(join(SCRATCH, log));
  const child = spawn(BINARY, args, { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.pipe(output);
  child.stderr.pipe(output);
  return child;
}

/** Asks it to stop, and waits until it has. */
export function stop(child: ChildProcess): Promise<void> {
  return new Promise((done) => {
    if (child.exitCode !== null || child.signalCode !== null) return done();
    child.once('exit', () => done());
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), 30_000).unref();
  });
}

/** Asks until the answer is right. */
export async function until<T>(what: string, seconds: number, ask: () => Promise<T | null>): Promise<T> {
  const deadline = Date.now() + seconds * 1_000;
  let last: unknown = 'nothing';
  while (Date.now() < deadline) {
    try {
      const answer = await ask();
      if (answer !== null) return answer;
    } catch (error) {
      last = error;
    }
    await new Promise((resume) => setTimeout(resume, 250));
  }
  throw new Error(`${what}: not within ${seconds} s (last: ${last})`);
}
