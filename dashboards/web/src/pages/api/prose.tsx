// Descriptions as the document has them: paragraphs, and `code`.

export function Prose({ text }: { text: string }) {
  return (
    <div class="prose">
      {text.split(/\n\s*\n/).map((paragraph) => (
        <p key={paragraph}>
          {paragraph
            .split(/(`[^`]+`)/)
            .map((part, index) =>
              part.startsWith('`') && part.endsWith('`') && part.length > 1 ? (
                <code key={`${index}${part}`}>{part.slice(1, -1)}</code>
              ) : (
                part
              ),
            )}
        </p>
      ))}
    </div>
  );
}
