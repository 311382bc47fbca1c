// Cause, remedy and the vendor's page.
import type { VendorDocument } from '../api/types';

interface AdviceTextProps {
  cause: string;
  remedy: string;
  document: VendorDocument | null;
}

export function AdviceText({ cause, remedy, document }: AdviceTextProps) {
  return (
    <div class="advice">
      <p>
        <strong>Cause.</strong> {cause}
      </p>
      <p>
        <strong>Remedy.</strong> {remedy}
      </p>
      {document && (
        <p>
          <a href={document.url} target="_blank" rel="noreferrer noopener">
            {document.title}
          </a>
        </p>
      )}
    </div>
  );
}
