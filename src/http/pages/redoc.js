Redoc.init(
  "openapi.json",
  {
    // Fonts that every machine has: nothing is loaded from elsewhere.
    theme: { typography: { fontFamily: "sans-serif", headings: { fontFamily: "sans-serif" } } },
  },
  document.getElementById("redoc"),
);
