// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Backstore.Devices;

namespace OverlayBd.Backstore;

/// <summary>
/// The original's call for a live snapshot, <c>/snapshot?dev_id=ID&amp;config=PATH</c>, with its statuses and its bodies to the byte
/// (overlaybd <c>src/api_server.cpp</c>). Why a snapshot was refused is in the log, and in the answer of the call of our own.
/// </summary>
internal static class SnapshotEndpoint
{
    private const string Path = "/snapshot";

    private const string Missing = "{\n        \"success\": false,\n        \"message\": \"Missing dev_id or config in snapshot request\"\n}";
    private const string Unknown = "{\n        \"success\": false,\n        \"message\": \"Image file not found\"\n}";
    private const string Failed = "{\n        \"success\": false,\n        \"message\": \"Failed to create snapshot`\"\n}";
    private const string Done = "{\n        \"success\": true,\n        \"message\": \"Snapshot created successfully\"\n}";

    /// <summary>Whether a request is that call: any method, and any path that begins so.</summary>
    public static bool Matches(HttpContext context) => context.Request.Path.Value?.StartsWith(Path, StringComparison.Ordinal) == true;

    public static async Task AnswerAsync(HttpContext context)
    {
        IServiceProvider services = context.RequestServices;
        string? id = context.Request.Query["dev_id"];
        string? config = context.Request.Query["config"];
        (int status, string body) = string.IsNullOrEmpty(id) || string.IsNullOrEmpty(config)
            ? (StatusCodes.Status400BadRequest, Missing)
            : services.GetRequiredService<DeviceTable>().Find(id) is not { } device
                ? (StatusCodes.Status404NotFound, Unknown)
                : await SnapshotAsync(services, device, config, context.RequestAborted);
        context.Response.StatusCode = status;
        context.Response.ContentLength = body.Length;
        await context.Response.WriteAsync(body, context.RequestAborted);
    }

    private static async Task<(int Status, string Body)> SnapshotAsync(
        IServiceProvider services, AttachedDevice device, string config, CancellationToken cancellationToken)
    {
        try
        {
            await services.GetRequiredService<DeviceOperations>().SnapshotAsync(device, config, cancellationToken);
            return (StatusCodes.Status200OK, Done);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // The edge of the process: the caller gets the one answer that the original has for it.
            BackstoreLog.SnapshotFailed(services.GetRequiredService<ILogger<BackstoreServer>>(), e, device.Id);
            return (StatusCodes.Status500InternalServerError, Failed);
        }
    }
}
