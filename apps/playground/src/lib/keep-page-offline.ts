/** Registers the service worker of the build. A page without one works as well, only not offline. */
export async function keepPageOffline(): Promise<void> {
  try {
    await navigator.serviceWorker?.register(new URL('service-worker.js', document.baseURI))
  } catch {
    // a browser that allows none (a private window, plain http) shows the page all the same
  }
}
