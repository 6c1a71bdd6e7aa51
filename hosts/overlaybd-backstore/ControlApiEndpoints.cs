// SPDX-License-Identifier: Apache-2.0

using OverlayBd.ControlApi;

namespace OverlayBd.Backstore;

/// <summary>The routes of the control API.</summary>
internal static class ControlApiEndpoints
{
    public static void Map(WebApplication application, DeviceTable devices)
    {
        application.Use(AnswerErrors);

        RouteGroupBuilder api = application.MapGroup("/v1");
        api.MapGet("/health", () => new HealthDocument("ok", BackstoreServer.Version, Environment.ProcessId, devices.Count));
        api.MapGet("/devices", () => new DeviceList([.. devices.All.Select(device => device.Info)]));
        api.MapPost("/devices", async (AttachRequest request, CancellationToken aborted) =>
        {
            AttachedDevice device = await devices.AttachAsync(request, aborted);
            return Results.Created("/v1/devices/" + device.Info.Id, device.Info);
        });
        api.MapGet("/devices/{id}", (string id) => devices.Get(id).Info);
        api.MapGet("/devices/{id}/stats", (string id) => devices.Get(id).ReadStatistics());
        api.MapDelete("/devices/{id}", async (string id, bool? force, CancellationToken aborted) =>
        {
            await devices.DetachAsync(id, force ?? false, aborted);
            return Results.NoContent();
        });
        application.MapFallback(() => Results.Json(
            new ErrorDocument(new(ErrorCodes.NotFound, "There is no such route.")), ControlApiJson.Default.ErrorDocument, statusCode: 404));
    }

    private static async Task AnswerErrors(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is left to answer.
        }
        catch (Exception exception) when (!context.Response.HasStarted)
        {
            // The edge of the process: every failure reaches the person who asked.
            ErrorDetail error = ErrorMapping.ToDetail(exception);
            BackstoreLog.RequestFailed(
                context.RequestServices.GetRequiredService<ILogger<BackstoreServer>>(),
                exception,
                context.Request.Method,
                context.Request.Path,
                error.Code);
            context.Response.StatusCode = ErrorCodes.ToStatus(error.Code);
            await context.Response.WriteAsJsonAsync(new ErrorDocument(error), ControlApiJson.Default.ErrorDocument);
        }
    }
}
