// The page inside Airflow's own: its colours, and the ways out of the frame.

// Airflow's page, if this one is shown in it.
function host() {
  try {
    return window.parent !== window && window.parent.document ? window.parent : undefined;
  } catch {
    return undefined; // somebody else's
  }
}

export function followTheme() {
  const root = document.documentElement;
  const airflow = host()?.document.documentElement;
  const preference = window.matchMedia("(prefers-color-scheme: dark)");
  const update = () => {
    const isDark = airflow ? airflow.classList.contains("dark") : preference.matches;
    root.classList.toggle("dark", isDark);
  };
  if (airflow) new MutationObserver(update).observe(airflow, { attributes: true, attributeFilter: ["class"] });
  else preference.addEventListener("change", update);
  update();
}

// The frame may neither open windows nor leave itself, so links are followed by Airflow's page.
export function letLinksLeave() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-leaves]");
    const airflow = host();
    if (!link || !airflow) return;
    event.preventDefault();
    const standIn = airflow.document.createElement("a");
    standIn.href = link.href;
    standIn.rel = "noopener noreferrer";
    if (link.target || event.ctrlKey || event.metaKey || event.shiftKey) standIn.target = "_blank";
    airflow.document.body.append(standIn);
    standIn.click();
    standIn.remove();
  });
}
