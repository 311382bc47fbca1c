// An address that names no page.
import { PageHead } from '../ui/page-head';

export function NotFoundPage() {
  return (
    <>
      <PageHead title="No such page" says="The address names nothing that Ringtrace shows." />
      <p>
        <a href="/">Go to the Overview</a>, or look for a call on <a href="/calls">Calls</a>.
      </p>
    </>
  );
}
