// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Images.Layers;

/// <summary>Makes the error of a layer that cannot be opened: it names the layer, and keeps the cause and its kind.</summary>
internal static class LayerFailure
{
    public static Exception Wrap(LayerDescription layer, Exception cause, Exception? localCause = null)
    {
        string local = localCause is null ? "" : $" (its local file cannot be used either: {Clean(layer, localCause)})";
        string message = $"Layer {layer.Name} cannot be opened: {Clean(layer, cause)}{local}.";
        return cause is InvalidDataException ? new InvalidDataException(message, cause) : new IOException(message, cause);
    }

    // What is said already need not be said twice.
    private static string Clean(LayerDescription layer, Exception cause)
    {
        string text = cause.Message.TrimEnd('.');
        string prefix = $"Layer {layer.Name}";
        return text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..].TrimStart(':', ' ') : text;
    }
}
