/** Runs in the measured page before its own scripts: notes when what was painted, wall clock in ms. */
(() => {
  const seen = { tiles: null, first: null, updates: [] };
  window.measured = seen;
  const now = () => performance.timeOrigin + performance.now();
  let pending = null;
  let found = false;

  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.name === "first-contentful-paint") seen.first = entry.startTime;
    }
  }).observe({ type: "paint", buffered: true });

  /** Call back once what is in the document now has been painted and the page could take a tap. */
  function painted(then) {
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => then(now());
      channel.port2.postMessage(null);
    });
  }

  new MutationObserver(() => {
    if (!found && shown()) {
      found = true;
      painted((at) => (seen.tiles = at - performance.timeOrigin));
    }
    if (pending !== null) {
      const update = pending;
      pending = null;
      painted((at) => seen.updates.push({ ...update, painted: at }));
    }
  }).observe(document, { childList: true, subtree: true, characterData: true, attributes: true });

  /** Whether the tiles of the devices are there, and figures on them. */
  function shown() {
    const tiles = [...document.querySelectorAll("[data-testid^='tile-']")];
    return tiles.length > 2 && tiles.filter((tile) => /\d\s?k?W/.test(tile.textContent)).length > 2;
  }

  const Line = window.EventSource;
  window.EventSource = class extends Line {
    constructor(...args) {
      super(...args);
      this.addEventListener("snapshot", (message) => {
        pending = { at: JSON.parse(message.data).at * 1000, received: now() };
      });
    }
  };
})();
