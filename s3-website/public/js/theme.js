// A classic script, for the page to have its colours before anything is painted: modules run too
// late, and the policy allows no inline script. Later changes are view_panels.js's.
{
  let theme = "auto";
  try {
    theme = JSON.parse(localStorage.getItem("lambda-chat/settings") ?? "{}")?.theme;
  } catch {
    // storage is off, or holds something else: the system's colours
  }
  const known = theme === "light" || theme === "dark";
  document.documentElement.dataset.theme = known ? theme : "auto";
}
