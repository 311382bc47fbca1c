// How sure a share is. Pure.

const Z = 1.96;

/** The 95 % interval of Wilson (1927) of a share of `hits` in `trials`; null without trials. */
export function wilson(hits: number, trials: number): { low: number; high: number } | null {
  if (trials <= 0) return null;
  const share = hits / trials;
  const square = (Z * Z) / trials;
  const middle = share + square / 2;
  const spread = Z * Math.sqrt((share * (1 - share)) / trials + square / (4 * trials));
  const clamp = (value: number) => Math.min(1, Math.max(0, value / (1 + square)));
  return { low: clamp(middle - spread), high: clamp(middle + spread) };
}

/** Standard deviations between two shares (pooled two-proportion test); null where one has no trials. */
export function shareShift(
  a: { share: number; of: number },
  b: { share: number; of: number },
): number | null {
  if (a.of <= 0 || b.of <= 0) return null;
  const pooled = (a.share * a.of + b.share * b.of) / (a.of + b.of);
  const spread = Math.sqrt(pooled * (1 - pooled) * (1 / a.of + 1 / b.of));
  return spread === 0 ? 0 : (a.share - b.share) / spread;
}
