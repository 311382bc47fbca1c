// Rules of this code base that no linter knows: short files, no string styles, no inline scripts, no outside requests.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const longest = 220;
const files = readdirSync('src', { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name));

const broken = [];
for (const file of [...files, 'index.html']) {
  const text = readFileSync(file, 'utf8');
  const lines = text.split('\n').length;
  if (/\.tsx?$/.test(file) && lines > longest) broken.push(`${file}: ${lines} lines, at most ${longest}`);
  if (/\bstyle="/.test(text)) broken.push(`${file}: a style attribute, which the CSP refuses`);
  if (/dangerouslySetInnerHTML|innerHTML\s*=/.test(text)) broken.push(`${file}: HTML from text`);
  if (/<script(?![^>]*\bsrc=)/.test(text)) broken.push(`${file}: an inline script, which the CSP refuses`);
  const outside = text.match(/(?:fetch\(|src=|url\()\s*['"]?https?:\/\/[^\s'")]+/);
  if (outside) broken.push(`${file}: a request to another host: ${outside[0]}`);
}
for (const line of broken) console.error(line);
console.log(`${files.length} files, ${broken.length} broken rules`);
if (broken.length > 0) process.exit(1);
