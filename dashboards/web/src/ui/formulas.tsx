// "How this is computed": the formulas of the API's dictionary, folded away until asked for.
import { useWords } from './context';

interface FormulasProps {
  measures: readonly string[];
  how?: string | undefined;
}

export function Formulas({ measures, how }: FormulasProps) {
  const dictionary = useWords();
  if (measures.length === 0 && how === undefined) return null;
  return (
    <details class="how">
      <summary>How this is computed</summary>
      {how && <p>{how}</p>}
      {measures.length > 0 && (
        <dl>
          {measures.map((name) => {
            const measure = dictionary.measure(name);
            return (
              <div key={name}>
                <dt>{measure.label}</dt>
                <dd>
                  {measure.formula || 'The dictionary has not been loaded.'}
                  {measure.source && <span class="source"> {measure.source}</span>}
                </dd>
              </div>
            );
          })}
        </dl>
      )}
    </details>
  );
}
