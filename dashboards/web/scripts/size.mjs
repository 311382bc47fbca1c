// Fails when what a browser loads is above the budget: 100 kB of JavaScript and CSS, gzipped.
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const budget = 100_000;
const files = readdirSync('dist/assets').filter((name) => /\.(js|css)$/.test(name));
let total = 0;
for (const name of files) {
  const bytes = gzipSync(readFileSync(`dist/assets/${name}`), { level: 9 }).length;
  total += bytes;
  console.log(`${name.padEnd(28)} ${(bytes / 1000).toFixed(1).padStart(6)} kB gzipped`);
}
console.log(`${'all'.padEnd(28)} ${(total / 1000).toFixed(1).padStart(6)} kB of ${budget / 1000}`);
if (total === 0 || total >= budget) process.exit(1);
