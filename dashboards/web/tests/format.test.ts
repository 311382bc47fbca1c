import { describe, expect, it } from 'vitest';
import { ago, axis, bytes, count, ms, ratio, shortCount, utc } from '../src/format';

const plain = (text: string) => text.replaceAll('\u202f', ' ');

describe('numbers', () => {
  it.each([
    [null, '–'],
    [0, '0 %'],
    [0.00001, '< 0.01 %'],
    [0.0012, '0.12 %'],
    [0.0532, '5.3 %'],
    [0.9999, '99.99 %'],
    [0.99999, '99.99 %'],
    [1, '100 %'],
  ])('a share of %s reads %s', (value, text) => expect(plain(ratio(value))).toBe(text));

  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [1_234, '1.23 s'],
    [12_345, '12.3 s'],
    [60_000, '1 min'],
    [185_000, '3 min 5 s'],
    [3_600_000, '1 h'],
    [90_061_000, '1 d 1 h'],
    [-340, '−340 ms'],
    [null, '–'],
  ])('%s ms reads %s', (value, text) => expect(plain(ms(value))).toBe(text));

  it('groups thousands', () => expect(plain(count(1_234_567))).toBe('1 234 567'));

  it('shortens for axes', () => {
    expect([950, 1_500, 123_456, 2_500_000].map(shortCount)).toEqual(['950', '1.5k', '123k', '2.5M']);
    expect([axis(0.005, 'ratio'), axis(1_500, 'ms'), axis(0, 'ms')]).toEqual(['0.5%', '1.5s', '0']);
  });

  it('sizes', () => expect(plain(bytes(8_200_000))).toBe('8.2 MB'));
});

describe('times', () => {
  it('have UTC to hover', () =>
    expect(utc(Date.UTC(2026, 10, 25, 9, 1, 2, 3))).toBe('2026-11-25 09:01:02.003 UTC'));
  it('say how long ago', () => expect(plain(ago(0, 185_000))).toBe('3 min 5 s ago'));
});
