// Sorts the pictures of a comparison by the chosen difference, and says what it is below each.
"use strict";
const key = document.getElementById("key");
const order = document.getElementById("order");
const cards = [...document.querySelectorAll("#cards > .case")].map((element) => ({
  element,
  gains: JSON.parse(element.dataset.gains),
  values: JSON.parse(element.dataset.values),
}));

function printed(value, decimals) {
  return value === null || value === undefined ? "–" : value.toFixed(decimals).replace("-", "−");
}

function sort() {
  const chosen = key.selectedOptions[0];
  if (!chosen) return;
  const { metric, decimals, place } = chosen.dataset;
  const direction = Number(order.value);
  const rank = (card) => (key.value in card.gains ? direction * card.gains[key.value] : Infinity);
  cards.sort((one, other) => rank(one) - rank(other));
  for (const card of cards) {
    const gain = card.gains[key.value];
    const [first, second] = [card.values[metric][0], card.values[metric][Number(place) + 1]];
    const label = card.element.querySelector(".gain");
    const sign = gain > 0 ? "+" : "";
    label.textContent = gain === undefined ? "–" : sign + printed(gain, decimals);
    label.className = "gain " + (gain > 0 ? "good" : gain < 0 ? "bad" : "");
    const values = card.element.querySelector(".values");
    values.textContent = `(${printed(first, decimals)}, ${printed(second, decimals)})`;
    document.getElementById("cards").append(card.element);
  }
}

key.addEventListener("change", sort);
order.addEventListener("change", sort);
sort();
