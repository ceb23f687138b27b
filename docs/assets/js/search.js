// The theme looks into the search at each key that is released. What is pasted, dropped or dictated releases none.
document.addEventListener("input", ({ target }) => {
  if (target.matches(".md-search__input")) target.dispatchEvent(new KeyboardEvent("keyup"))
})
