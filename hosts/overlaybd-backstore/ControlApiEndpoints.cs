// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Backstore.Devices;
using OverlayBd.Backstore.Observability;
using OverlayBd.ControlApi;

namespace OverlayBd.Backstore;

/// <summary>The routes of the control API: all of them on the unix socket, and of them the original's alone over TCP.</summary>
internal static class ControlApiEndpoints
{
    public static void Map(WebApplication application)
    {
        application.MapWhen(SnapshotEndpoint.Matches, static branch => branch.Run(SnapshotEndpoint.AnswerAsync));
        application.MapWhen(IsRemote, static branch => branch.Run(static context =>
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }));
        application.Use(AnswerErrors);
        application.UseRouting();

        IServiceProvider services = application.Services;
        DeviceTable devices = services.GetRequiredService<DeviceTable>();
        RouteGroupBuilder api = application.MapGroup("/v1");
        TcmuFrontEnd tcmu = services.GetRequiredService<TcmuFrontEnd>();
        MapDevices(api, devices, services.GetRequiredService<DeviceAttacher>(), tcmu);
        MapOperations(api.MapGroup("/devices/{id}"), devices, services.GetRequiredService<DeviceOperations>());
        api.MapGet("/health", () => Describe(devices, tcmu));
        application.MapFallback(() => Results.Json(
            new ErrorDocument(new(ErrorCodes.NotFound, "There is no such route.")), ControlApiJson.Default.ErrorDocument, statusCode: 404));
    }

    private static void MapDevices(RouteGroupBuilder api, DeviceTable devices, DeviceAttacher attacher, TcmuFrontEnd tcmu)
    {
        api.MapGet("/devices", () =>
        {
            AttachedDevice[] all = [.. devices.All];
            tcmu.FindDisks(all);
            return new DeviceList([.. all.Select(device => device.Info)]);
        });
        api.MapPost("/devices", async (AttachRequest request, CancellationToken aborted) =>
        {
            DeviceInfo device = (await attacher.AttachAsync(request, aborted)).Info;
            return Results.Created("/v1/devices/" + device.Id, device);
        });
        api.MapGet("/devices/{id}", (string id) =>
        {
            AttachedDevice device = devices.Get(id);
            tcmu.FindDisks(device);
            return device.Info;
        });
        api.MapGet("/devices/{id}/stats", (string id) => devices.Get(id).ReadStatistics());
        api.MapDelete("/devices/{id}", async (string id, bool? force, CancellationToken aborted) =>
        {
            await devices.DetachAsync(id, force ?? false, aborted);
            return Results.NoContent();
        });
    }

    private static void MapOperations(RouteGroupBuilder device, DeviceTable devices, DeviceOperations operations)
    {
        device.MapPost("/resize", (string id, ResizeRequest request, CancellationToken aborted) =>
            operations.ResizeAsync(devices.Get(id), request.Size, aborted));
        device.MapPost("/snapshot", async (string id, SnapshotRequest request, CancellationToken aborted) =>
        {
            AttachedDevice attached = devices.Get(id);
            await operations.SnapshotAsync(attached, request.Config, aborted);
            return attached.Info;
        });
        device.MapPost("/trace", (string id, TraceRequest request) => DeviceOperations.StartTrace(devices.Get(id), request.Path));
        device.MapGet("/trace", (string id) => DeviceOperations.ReadTrace(devices.Get(id)));
        device.MapDelete("/trace", (string id, CancellationToken aborted) => DeviceOperations.StopTraceAsync(devices.Get(id), aborted));
    }

    private static HealthDocument Describe(DeviceTable devices, TcmuFrontEnd tcmu)
    {
        string[] waiting = [.. devices.All.Where(device => device.Image.Problem is not null).Select(device => device.Id)];
        return new(
            waiting.Length == 0 ? "ok" : "degraded",
            BackstoreServer.Version,
            Environment.ProcessId,
            devices.Count,
            [tcmu.State, FuseFrontEnd.State],
            devices.Hung,
            waiting);
    }

    // A unix socket has no address.
    private static bool IsRemote(HttpContext context) => context.Connection.LocalIpAddress is not null;

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
        finally
        {
            BackstoreActivities.Describe(context);
        }
    }
}
