// A value and its places in the text light up together.
const numbers = (element) => (element.dataset.v || "").split(" ").filter(Boolean);
document.addEventListener("mouseover", (event) => {
  document.querySelectorAll(".lit").forEach((element) => element.classList.remove("lit"));
  const target = event.target.closest("[data-v]");
  if (!target) return;
  const own = new Set(numbers(target));
  target.closest("article").querySelectorAll("[data-v]").forEach((element) => {
    if (numbers(element).some((number) => own.has(number))) element.classList.add("lit");
  });
});
