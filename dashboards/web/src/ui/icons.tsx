// Shapes that say the same as colours do. Drawn in a square of 16.

export type IconName =
  | 'check'
  | 'cross'
  | 'clock'
  | 'dots'
  | 'ring'
  | 'slash'
  | 'dash'
  | 'half'
  | 'bang'
  | 'phone'
  | 'moon'
  | 'sun'
  | 'auto'
  | 'menu'
  | 'close'
  | 'plus'
  | 'pause'
  | 'play'
  | 'down'
  | 'copy';

const PATHS: Record<IconName, string> = {
  check: 'M3 8.500 6.500 12 13 4.500',
  cross: 'M4 4l8 8M12 4l-8 8',
  clock: 'M8 2a6 6 0 1 0 .01 0M8 5v3l2 1.500',
  dots: 'M3.500 8h.01M8 8h.01M12.500 8h.01',
  ring: 'M8 3a5 5 0 1 0 .01 0',
  slash: 'M8 2.500a5.500 5.500 0 1 0 .01 0M4.200 11.800l7.600-7.600',
  dash: 'M4 8h8',
  half: 'M8 2.500a5.500 5.500 0 1 0 .01 0M8 2.500v11M8 5h3.500M8 8h5M8 11h3.500',
  bang: 'M8 3v6M8 12.500h.01',
  phone: 'M4 2.500h2L7.500 6 6 7.500c.8 1.500 1.500 2.200 3 3L10.500 9 13.500 10.500v2C8 14 2 8 4 2.500z',
  moon: 'M13 9.500A5.500 5.500 0 0 1 6.500 3 5.500 5.500 0 1 0 13 9.500z',
  sun: 'M8 5a3 3 0 1 0 .01 0M8 1v1M8 14v1M1 8h1M14 8h1M3 3l.7.7M12.300 12.300l.7.7M3 13l.7-.7M12.300 3.700 13 3',
  auto: 'M8 2.500a5.500 5.500 0 1 0 .01 0M8 2.500v11',
  menu: 'M2.500 4.500h11M2.500 8h11M2.500 11.500h11',
  close: 'M4 4l8 8M12 4l-8 8',
  plus: 'M8 3v10M3 8h10',
  pause: 'M5.500 3.500v9M10.500 3.500v9',
  play: 'M5 3.500 12 8l-7 4.500z',
  down: 'M8 2.500v8M4.500 7.500 8 11l3.500-3.500M3 13.500h10',
  copy: 'M6 6h7v7H6zM3 10V3h7',
};

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
