// One field to look for something; Enter asks.
import { useId } from 'preact/hooks';

interface SearchFieldProps {
  label: string;
  value: string;
  onInput: (value: string) => void;
  onSubmit: () => void;
}

export function SearchField({ label, value, onInput, onSubmit }: SearchFieldProps) {
  const id = useId();
  return (
    <search>
      <form
        class="search"
        onSubmit={(event) => {
          event.preventDefault();
          onSubmit();
        }}
      >
        <label for={id}>{label}</label>
        <input
          id={id}
          type="search"
          value={value}
          onInput={(event) => onInput(event.currentTarget.value)}
          spellcheck={false}
          autocomplete="off"
        />
        <button type="submit" class="button">
          Search
        </button>
      </form>
    </search>
  );
}
