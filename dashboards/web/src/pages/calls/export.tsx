// The list as a file. Fetched here and not by a link, so that no token is ever in an address.
import { useEffect, useRef, useState } from 'preact/hooks';
import { request } from '../../api/client';
import { Icon } from '../../ui/icons';

type Format = 'csv' | 'ndjson';

export function Export({ path, params }: { path: string; params: URLSearchParams }) {
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState('');
  const abort = useRef<AbortController | null>(null);
  useEffect(() => () => abort.current?.abort(), []);

  const save = async (format: Format) => {
    const control = new AbortController();
    abort.current = control;
    setBusy(true);
    setSaid('Exporting…');
    try {
      const asked = new URLSearchParams(params);
      asked.set('format', format);
      const response = await request(`${path}?${asked}`, control.signal);
      const truncated = response.headers.get('x-ringtrace-truncated') === 'true';
      offer(await response.blob(), `ringtrace-${path.split('/')[1]}.${format}`);
      setSaid(truncated ? 'Saved; there are more rows than an export may have.' : 'Saved.');
    } catch (error) {
      if (!control.signal.aborted) setSaid(error instanceof Error ? error.message : 'The export failed.');
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <span role="status" class="soft">
        {said}
      </span>
      {(['csv', 'ndjson'] as const).map((format) => (
        <button key={format} type="button" class="button" disabled={busy} onClick={() => void save(format)}>
          <Icon name="down" /> {format.toUpperCase()}
        </button>
      ))}
    </>
  );
}

function offer(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const anchor = document.createElement('a');
  anchor.href = url;
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
