SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  // Else the page would send the document to a server of Swagger's.
  validatorUrl: null,
});
