// How keys move a cursor along a chart. Pure.

/** Where a key leads; undefined for a key that is not the cursor's. */
export function moved(key: string, index: number | null, count: number): number | null | undefined {
  const from = index ?? count;
  const last = count - 1;
  switch (key) {
    case 'ArrowLeft':
      return Math.max(0, from - 1);
    case 'ArrowRight':
      return Math.min(last, index === null ? 0 : from + 1);
    case 'PageUp':
      return Math.max(0, from - 10);
    case 'PageDown':
      return Math.min(last, index === null ? 0 : from + 10);
    case 'Home':
      return 0;
    case 'End':
      return last;
    case 'Escape':
      return null;
    default:
      return undefined;
  }
}
