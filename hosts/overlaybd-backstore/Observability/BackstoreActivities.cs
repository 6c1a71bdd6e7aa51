// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Microsoft.AspNetCore.Http.Features;

namespace OverlayBd.Backstore.Observability;

/// <summary>The spans of the server itself; those of the libraries are below them.</summary>
internal static class BackstoreActivities
{
    private static readonly ActivitySource s_source = new("OverlayBd.Backstore");

    /// <summary>Begins the attach of a device for the control API.</summary>
    public static Activity? StartAttach(string id, string source, string frontEnd) => s_source.StartActivity("overlaybd.device.attach")
        ?.SetTag("overlaybd.device", id)
        .SetTag("overlaybd.source", source)
        .SetTag("overlaybd.front_end", frontEnd);

    /// <summary>Has the framework's span of a request say which one it is, and how it was answered.</summary>
    public static void Describe(HttpContext context)
    {
        if (context.Features.Get<IHttpActivityFeature>()?.Activity is not { IsAllDataRequested: true } span)
        {
            return;
        }

        if (context.GetEndpoint() is RouteEndpoint { RoutePattern.RawText: { } route })
        {
            span.DisplayName = $"{context.Request.Method} {route}";
        }

        int status = context.Response.StatusCode;
        span.SetTag("http.request.method", context.Request.Method)
            .SetTag("url.path", context.Request.Path.Value)
            .SetTag("http.response.status_code", status);
        if (status >= StatusCodes.Status500InternalServerError)
        {
            span.SetStatus(ActivityStatusCode.Error);
        }
    }
}
