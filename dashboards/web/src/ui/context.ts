// What every component may ask for: the place and the dictionary.
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { type Dictionary, dictionary } from '../api/definitions';
import { type Place, usePlace } from '../state/router';

export const DictionaryContext = createContext<Dictionary>(dictionary(null));

export const useWords = (): Dictionary => useContext(DictionaryContext);

export function useParams(): URLSearchParams {
  return usePlace().params;
}

export type { Place };
