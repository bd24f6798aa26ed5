/** The minimum of a Worker in front of a service. */
export default {
  fetch: (request: Request): Promise<Response> => fetch(request),
};
