// Inside the stand-in's frame: ask for a name, fetch a token, pass it to the page.
"use strict";
const query = new URLSearchParams(location.search);
const NAME = "name";

/** @param {string} name @param {string} selectBy */
async function signIn(name, selectBy) {
  const answer = await fetch("/token", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name, aud: query.get("client_id"), nonce: query.get("nonce") }),
  });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error);
  remember(name);
  // the server serves this frame to the chat's page only
  parent.postMessage({ credential: body.id_token, select_by: selectBy }, query.get("parent"));
}

// Storage throws in a browser that blocks cookies; the name is then not remembered.
/** @param {string} name */
function remember(name) {
  try {
    localStorage.setItem(NAME, name);
  } catch {
    // not remembered
  }
}

function rememberedName() {
  try {
    return localStorage.getItem(NAME);
  } catch {
    return null;
  }
}

const form = document.querySelector("form");
const input = document.querySelector("input");
const remembered = rememberedName();

if (query.get("mode") !== "auto") {
  input.value = remembered ?? "";
} else if (remembered) {
  // as with Google, a silent sign-in fails silently
  signIn(remembered, "auto").catch(dismiss);
} else {
  dismiss();
}

function dismiss() {
  parent.postMessage({ dismissed: true }, query.get("parent"));
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  signIn(input.value, "btn").catch((error) => {
    document.querySelector("[role=status]").textContent = error.message;
  });
});

// Enabled last: earlier, typed text would be overwritten and the form submitted without a script.
input.disabled = false;
document.querySelector("button").disabled = false;
