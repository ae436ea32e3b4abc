import { describe, expect, it } from 'vitest';
import { mayActAs } from './caller.js';
import { bearerOf, frontEndUser, socketKey } from './credentials.js';

describe('credentials', () => {
  it('are read from the bearer header only when it is one', () => {
    expect(bearerOf({ authorization: 'Bearer sk-1' })).toBe('sk-1');
    expect(bearerOf({ authorization: 'bearer  sk-1 ' })).toBe('sk-1');
    for (const authorization of ['Basic sk-1', 'Bearer', 'Bearer a b', '']) {
      expect(bearerOf({ authorization })).toBeUndefined();
    }
  });

  it('come with a socket by subprotocol where no header can be set', () => {
    const protocols = 'realtime, openai-insecure-api-key.sk-2, openai-beta.realtime-v1';
    expect(socketKey({ 'sec-websocket-protocol': protocols })).toBe('sk-2');
    expect(socketKey({ 'sec-websocket-protocol': protocols, authorization: 'Bearer sk-3' })).toBe('sk-3');
    expect(socketKey({ 'sec-websocket-protocol': 'realtime' })).toBeUndefined();
  });

  it('name the person behind a front end, and no more than fits', () => {
    expect(frontEndUser({})).toBeUndefined();
    expect(frontEndUser({ 'x-openwebui-user-id': 'u1', 'x-openwebui-user-name': 'J%C3%BCrg' })).toEqual({
      id: 'u1',
      name: 'Jürg',
      conversationId: undefined,
    });
    const chat = frontEndUser({ 'x-openwebui-user-id': 'u1', 'x-openwebui-chat-id': '../a b;drop' });
    expect(chat).toMatchObject({ name: 'u1', conversationId: 'conv_abdrop' });
  });
});

it('lets each role do what the ones before it may', () => {
  expect(mayActAs('admin', 'user') && mayActAs('admin', 'reviewer') && mayActAs('reviewer', 'user')).toBe(true);
  expect(mayActAs('user', 'reviewer') || mayActAs('reviewer', 'admin')).toBe(false);
});
