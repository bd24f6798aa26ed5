/** The least that a Worker in front of a service can do. */
export default {
  fetch: (request: Request): Promise<Response> => fetch(request),
};
