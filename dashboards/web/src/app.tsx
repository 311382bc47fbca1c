// The frame around every page: navigation, banners, the page that the address names.
import { useEffect } from 'preact/hooks';
import { useDictionary } from './api/definitions';
import { PAGES, pageOf } from './pages';
import { usePlace } from './state/router';
import { signIn } from './state/session';
import { useStore } from './state/store';
import { ConnectionBanner } from './ui/banner';
import { DictionaryContext } from './ui/context';
import { Navigation } from './ui/navigation';
import { SignIn } from './ui/sign-in';

export function App() {
  const place = usePlace();
  const dictionary = useDictionary();
  const needsToken = useStore(signIn).needed;
  const page = pageOf(place.path);
  useEffect(() => {
    document.title = `${page.title} · Ringtrace`;
  }, [page.title]);
  return (
    <DictionaryContext.Provider value={dictionary}>
      <a class="skip" href="#page-title">
        Skip to content
      </a>
      <Navigation pages={PAGES} path={place.path} />
      <main>
        <ConnectionBanner />
        {needsToken ? <SignIn /> : <page.Page key={page.key} {...page.props} />}
      </main>
    </DictionaryContext.Provider>
  );
}
